import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// Writes a .br and a .gz beside every text asset, so that the gateway never compresses at run time.
function precompress(): Plugin {
  let folder = "dist";
  return {
    name: "precompress",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg|json|webmanifest)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = readFileSync(path);
        if (bytes.length < 512) continue;
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(
          `${path}.br`,
          brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
        );
      }
    },
  };
}

// Asks for what the first page will need while the browser still reads the HTML: the font, so that the words don't change
// their width when it comes, and the charts, which the script would ask for only once it runs.
function preloads(): Plugin {
  const wanted = [
    { name: /inter-latin-wght-.*\.woff2$/, attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: true } },
    { name: /^assets\/chart-.*\.js$/, attrs: { rel: "modulepreload", crossorigin: true } },
    { name: /^assets\/chart-.*\.css$/, attrs: { rel: "preload", as: "style", crossorigin: true } },
  ];
  return {
    name: "preloads",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle = {} }) {
        return wanted.map(({ name, attrs }) => {
          const file = Object.keys(bundle).find((path) => name.test(path));
          if (file === undefined) throw new Error(`nothing was built that matches ${name}`);
          return { tag: "link", attrs: { ...attrs, href: `/${file}` }, injectTo: "head" as const };
        });
      },
    },
  };
}

// The gateway, or dev/peer.mjs.
const gateway = process.env.RIVERMEET_URL ?? "http://127.0.0.1:7400";

export default defineConfig({
  plugins: [react(), preloads(), precompress()],
  server: {
    host: "127.0.0.1",
    port: 7401,
    proxy: {
      "^/rivermeet\\.": { target: gateway },
      "/v1": { target: gateway, ws: true },
    },
  },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
