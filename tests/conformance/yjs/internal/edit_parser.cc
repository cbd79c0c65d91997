#include "yjs/internal/edit_parser.h"

#include <utility>

namespace rivermeet::yjs::internal {
namespace {

// Deeper than any that is written.
constexpr int kMaxDepth = 32;

Value ParseValue(RecordCursor& cursor, int depth = 0) {
  Value value;
  value.kind = static_cast<Value::Kind>(cursor.Byte());
  if (depth > kMaxDepth || value.kind > Value::Kind::kSubdocument) {
    cursor.Fail();
    return value;
  }
  if (value.kind == Value::Kind::kSubdocument) value.name = cursor.Bytes();
  if (value.kind != Value::Kind::kType) {
    value.bytes = cursor.Bytes();
    return value;
  }
  value.type = static_cast<SharedType>(cursor.Byte());
  if (value.type == SharedType::kXmlElement || value.type == SharedType::kXmlHook) value.name = cursor.Bytes();
  value.text = cursor.Bytes();
  value.items = cursor.List<Value>([depth](RecordCursor& from) { return ParseValue(from, depth + 1); });
  value.entries = cursor.List<std::pair<std::string_view, Value>>([depth](RecordCursor& from) {
    const std::string_view key = from.Bytes();
    return std::pair(key, ParseValue(from, depth + 1));
  });
  return value;
}

Attributes ParseAttributes(RecordCursor& cursor) {
  if (cursor.Byte() == 0) return std::nullopt;
  return cursor.List<std::pair<std::string_view, std::string_view>>([](RecordCursor& from) {
    const std::string_view key = from.Bytes();
    return std::pair(key, from.Bytes());
  });
}

DeltaOperation ParseOperation(RecordCursor& cursor) {
  DeltaOperation operation;
  operation.kind = static_cast<DeltaOperation::Kind>(cursor.Byte());
  if (operation.kind == DeltaOperation::Kind::kInsert) {
    operation.insert = ParseValue(cursor);
  } else {
    operation.length = cursor.VarUint();
  }
  operation.attributes = ParseAttributes(cursor);
  return operation;
}

void ParseTarget(RecordCursor& cursor, Edit& edit) {
  edit.root = cursor.ReadRoot();
  edit.path = cursor.List<Edit::PathStep>([](RecordCursor& from) {
    Edit::PathStep step;
    step.is_key = from.Byte() == 0;
    if (step.is_key) {
      step.key = from.Bytes();
    } else {
      step.index = from.VarUint();
    }
    return step;
  });
  if (edit.path.empty()) return;
  edit.client = cursor.VarUint();
  edit.clock = cursor.VarUint();
}

std::vector<Value> ParseValues(RecordCursor& cursor) {
  return cursor.List<Value>([](RecordCursor& from) { return ParseValue(from); });
}

void ParseArguments(RecordCursor& cursor, Edit& edit) {
  switch (edit.kind) {
    case EditKind::kTextInsert:
      edit.index = cursor.VarUint();
      edit.text = cursor.Bytes();
      edit.attributes = ParseAttributes(cursor);
      return;
    case EditKind::kTextFormat:
      edit.index = cursor.VarUint();
      edit.length = cursor.VarUint();
      edit.attributes = ParseAttributes(cursor);
      return;
    case EditKind::kTextEmbed:
      edit.index = cursor.VarUint();
      edit.values.push_back(ParseValue(cursor));
      edit.attributes = ParseAttributes(cursor);
      return;
    case EditKind::kTextDelta:
      edit.delta = cursor.List<DeltaOperation>(ParseOperation);
      return;
    case EditKind::kListInsert:
      edit.index = cursor.VarUint();
      edit.values = ParseValues(cursor);
      return;
    case EditKind::kListPush:
      edit.values = ParseValues(cursor);
      return;
    case EditKind::kTextDelete:
    case EditKind::kListDelete:
      edit.index = cursor.VarUint();
      edit.length = cursor.VarUint();
      return;
    case EditKind::kMapSet:
      edit.key = cursor.Bytes();
      edit.values.push_back(ParseValue(cursor));
      return;
    case EditKind::kMapDelete:
      edit.key = cursor.Bytes();
      return;
  }
  cursor.Fail();
}

}  // namespace

std::vector<Edit> ParseEdits(RecordCursor& cursor) {
  std::vector<Edit> edits;
  for (uint8_t kind = cursor.Byte(); kind != 0; kind = cursor.Byte()) {
    Edit& edit = edits.emplace_back();
    edit.kind = static_cast<EditKind>(kind);
    ParseTarget(cursor, edit);
    ParseArguments(cursor, edit);
  }
  return edits;
}

}  // namespace rivermeet::yjs::internal
