// What our .proto files say about their RPCs, messages and fields; generated code doesn't have it.
#ifndef RIVERMEET_GATEWAY_PROTO_COMMENTS_H_
#define RIVERMEET_GATEWAY_PROTO_COMMENTS_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace rivermeet::gateway {

// Not thread-safe. Holds some megabytes: for a start, not to keep.
class ProtoComments {
 public:
  // Reads the files as they were when the program was built.
  ProtoComments();

  // The comment before an element, else the one after it on its line, as one paragraph; "" where there is none.
  // Elements are told by their full names.
  std::string OfMethod(const std::string& full_name) const;
  std::string OfMessage(const std::string& full_name) const;
  std::string OfField(const std::string& full_name) const;

 private:
  google::protobuf::DescriptorPool pool_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_PROTO_COMMENTS_H_
