#include "gateway/proto_comments.h"

#include <string_view>

#include "base/status.h"
#include "base/strings.h"
#include "google/protobuf/descriptor.pb.h"

// A FileDescriptorSet with its comments, which protoc writes when the program is built.
__asm__(
    ".pushsection .rodata\n"
    "rivermeet_api_descriptors:\n"
    ".incbin \"" RIVERMEET_API_DESCRIPTORS
    "\"\n"
    "rivermeet_api_descriptors_end:\n"
    ".popsection\n");
extern "C" const char rivermeet_api_descriptors[];
extern "C" const char rivermeet_api_descriptors_end[];

namespace rivermeet::gateway {
namespace {

template <typename Element>
std::string CommentOf(const Element* element) {
  google::protobuf::SourceLocation location;
  if (element == nullptr || !element->GetSourceLocation(&location)) return "";
  const std::string& text = location.leading_comments.empty() ? location.trailing_comments : location.leading_comments;
  std::string paragraph;
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view words = Trim(line);
    if (!paragraph.empty() && !words.empty()) paragraph += ' ';
    paragraph += words;
  }
  return paragraph;
}

}  // namespace

ProtoComments::ProtoComments() {
  google::protobuf::FileDescriptorSet files;
  RM_CHECK(files.ParseFromArray(rivermeet_api_descriptors,
                                static_cast<int>(rivermeet_api_descriptors_end - rivermeet_api_descriptors)));
  for (const google::protobuf::FileDescriptorProto& file : files.file()) RM_CHECK(pool_.BuildFile(file) != nullptr);
}

std::string ProtoComments::OfMethod(const std::string& full_name) const {
  return CommentOf(pool_.FindMethodByName(full_name));
}

std::string ProtoComments::OfMessage(const std::string& full_name) const {
  return CommentOf(pool_.FindMessageTypeByName(full_name));
}

std::string ProtoComments::OfField(const std::string& full_name) const {
  return CommentOf(pool_.FindFieldByName(full_name));
}

}  // namespace rivermeet::gateway
