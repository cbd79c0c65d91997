// yjs's own testHelper, where some of the peers that it makes are the engine.
const url = import.meta.resolve("yjs/tests/testHelper.js");
export const testHelper = await import(url);
// The same file once more; hooks.mjs makes its peers the engine's.
const { TestYInstance: EnginePeer } = await import(`${url}?engine`);

// `engines`: which of the peers, by their number.
export const testHelperOf = async (engines) => {
  const { TestConnector, TestYInstance } = testHelper;
  TestConnector.prototype.createY = function (number) {
    return new (engines.includes(number) ? EnginePeer : TestYInstance)(this, number);
  };
  return testHelper;
};
