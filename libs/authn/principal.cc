#include "authn/principal.h"

namespace rivermeet::authn {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kEditor:
      return "editor";
    case Role::kAdmin:
      return "admin";
    case Role::kNone:
      break;
  }
  return "none";
}

Role RoleOf(std::string_view name) {
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
    if (name == RoleName(role)) return role;
  }
  return Role::kNone;
}

absl::Status TokenVerifier::Recheck(const Principal&, absl::Time) { return absl::OkStatus(); }

}  // namespace rivermeet::authn
