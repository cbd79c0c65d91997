#include "crdt/internal/read/struct_dump.h"

#include "catch2/catch.hpp"
#include "crdt/testing/document_check.h"

namespace rivermeet::crdt::internal {
namespace {

TEST_CASE("a dump has every struct with its neighbours by id", "[crdt]") {
  Doc doc({.client_id = 7});
  REQUIRE(doc.GetText("t")->Insert(0, "abcd").ok());
  REQUIRE(doc.GetText("t")->Delete(1, 2).ok());
  REQUIRE(doc.GetMap("m")->Set("a \"key\"", NewType{.kind = SharedKind::kArray, .items = {Any(1)}}).ok());
  REQUIRE(doc.GetMap("m")->Delete("a \"key\"").ok());

  const std::string edge = R"("left":null,"right":[7,1],"origin":null,"right_origin":null})";
  CHECK(DumpStructs(DocInside::Of(doc)) ==
        R"([{"client":7,"structs":[{"clock":0,"length":1,"kind":"item","content":4,"deleted":false,"key":null,)" +
            edge +
            R"(,{"clock":1,"length":2,"kind":"item","content":1,"deleted":true,"key":null,"left":[7,0],"right":[7,3],)"
            R"("origin":[7,0],"right_origin":null},{"clock":3,"length":1,"kind":"item","content":4,"deleted":false,)"
            R"("key":null,"left":[7,2],"right":null,"origin":[7,2],"right_origin":null},)"
            R"({"clock":4,"length":1,"kind":"item","content":1,"deleted":true,"key":"a \"key\"","left":null,)"
            R"("right":null,"origin":null,"right_origin":null},{"clock":5,"length":1,"kind":"gc"}]}])");
}

}  // namespace
}  // namespace rivermeet::crdt::internal
