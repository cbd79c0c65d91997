#include "crdt_tool/crdt_commands.h"

#include "crdt_tool/internal/commands.h"

namespace rivermeet::crdt_tool {

void AddCommands(CLI::App& app) {
  AddInspect(app);
  AddJson(app);
  AddStateVector(app);
  AddConvert(app);
  AddMerge(app);
  AddDiff(app);
  AddObfuscate(app);
  app.footer(
      R"(A file holds one update (a whole document is one, too); - reads standard input. Updates don't say whether they
are of format V1 or V2: the one as which the bytes read to the end is taken, unless --v1 or --v2 says it.
Exit codes: 0 done, 1 bad input or a file that can't be read or written, 2 bad usage.

Examples:
  tools/crdt inspect doc.yjs
  tools/crdt json doc.yjs --text notes | jq
  tools/crdt merge doc.yjs update-*.yjs -o merged.yjs
  tools/crdt diff new.yjs old.yjs | tools/crdt inspect --structs -)");
}

}  // namespace rivermeet::crdt_tool
