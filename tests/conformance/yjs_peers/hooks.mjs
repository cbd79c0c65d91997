// Gives yjs's testHelper, and the y-protocols it uses, shim.mjs for yjs.
export const resolve = async (specifier, context, next) => {
  const parent = context.parentURL ?? "";
  const helper = /\/yjs\/tests\/testHelper\.js(\?engine)?$/.exec(parent);
  if (helper && specifier === "../src/index.js") {
    return next(new URL(`./shim.mjs${helper[1] ?? ""}`, import.meta.url).href, context);
  }
  if (/\/y-protocols\//.test(parent) && specifier === "yjs") return next(new URL("./shim.mjs", import.meta.url).href, context);
  return next(specifier, context);
};
