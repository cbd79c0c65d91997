#ifndef RIVERMEET_CATALOG_INTERNAL_RESULT_DATA_H_
#define RIVERMEET_CATALOG_INTERNAL_RESULT_DATA_H_

#include <pqxx/pqxx>

#include "catalog/statement.h"

namespace rivermeet::catalog {

struct Result::Data {
  pqxx::result rows;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_INTERNAL_RESULT_DATA_H_
