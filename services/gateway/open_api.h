// The REST interface as an OpenAPI 3.1 document, written from the descriptors.
#ifndef RIVERMEET_GATEWAY_OPEN_API_H_
#define RIVERMEET_GATEWAY_OPEN_API_H_

#include <string>

#include "gateway/route_table.h"

namespace rivermeet::gateway {

// JSON. Names are those of the REST interface: camelCase, 64-bit numbers as strings.
std::string OpenApiDocument(const RouteTable& routes);

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_OPEN_API_H_
