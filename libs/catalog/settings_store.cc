#include "catalog/settings_store.h"

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::catalog {

absl::StatusOr<std::string> SettingsStore::Get(std::string_view name, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      database_.Execute(deadline, "SELECT value FROM settings WHERE name = $1", {name}));
  if (rows.empty()) return absl::NotFoundError(ToAbsl(fmt::format("the setting {} was never set", name)));
  return rows[0].Blob(0);
}

absl::Status SettingsStore::Set(std::string_view name, std::string_view bytes, absl::Time deadline) {
  return database_
      .Execute(deadline,
               "INSERT INTO settings (name, value) VALUES ($1, $2)"
               " ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = now()",
               {name, Param::Blob(bytes)})
      .status();
}

absl::StatusOr<std::string> SettingsStore::GetOrSet(std::string_view name, std::string_view bytes,
                                                    absl::Time deadline) {
  RM_RETURN_IF_ERROR(database_
                         .Execute(deadline,
                                  "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                                  {name, Param::Blob(bytes)})
                         .status());
  return Get(name, deadline);
}

}  // namespace rivermeet::catalog
