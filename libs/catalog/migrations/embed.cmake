# Turns migrations/NNNN_name.sql into one C++ source: cmake -DFOLDER=... -DOUT=... -P embed.cmake
file(GLOB files ${FOLDER}/[0-9][0-9][0-9][0-9]_*.sql)
list(SORT files)
set(entries)
foreach(path ${files})
  get_filename_component(name ${path} NAME_WE)
  string(SUBSTRING ${name} 0 4 number)
  string(REGEX REPLACE "^0+" "" number ${number})
  file(READ ${path} sql)
  string(APPEND entries "    {${number}, \"${name}\", R\"rmsql(${sql})rmsql\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"catalog/migrations.h\"

namespace rivermeet::catalog {
namespace {
constexpr Migration kMigrations[] = {
${entries}};
}  // namespace

std::span<const Migration> BuiltinMigrations() { return kMigrations; }

}  // namespace rivermeet::catalog
")
