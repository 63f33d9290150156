# What `cmake --install` puts where, and how others find it: find_package(soquete), pkg-config soquete.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  message(FATAL_ERROR "Give CMAKE_INSTALL_LIBDIR and _INCLUDEDIR from the prefix on: what is installed may be moved")
endif()

# Before 1.0 a minor version may break what is built on it.
set_target_properties(soquete PROPERTIES
  VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")

# What a program needs besides, for the library to be linked into it. Both files below are made from this.
get_target_property(linked soquete LINK_LIBRARIES)
get_target_property(kind soquete TYPE)
set(SOQUETE_MODULES "")  # As pkg-config names them.
foreach(one IN LISTS linked)
  if(one MATCHES "^PkgConfig::(.+)$")
    list(APPEND SOQUETE_MODULES "${CMAKE_MATCH_1}")
  elseif(NOT one STREQUAL "Threads::Threads")
    message(FATAL_ERROR "cmake/install.cmake does not know how users of soquete find ${one}")
  endif()
endforeach()
if(kind STREQUAL "SHARED_LIBRARY")  # It brings them by itself.
  list(JOIN SOQUETE_MODULES " " SOQUETE_REQUIRES_PRIVATE)
  set(SOQUETE_REQUIRES "")
  set(SOQUETE_MODULES "")
else()
  list(JOIN SOQUETE_MODULES " " SOQUETE_REQUIRES)
  set(SOQUETE_REQUIRES_PRIVATE "")
endif()

# The library.
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/soquete")
install(TARGETS soquete EXPORT soquete
  ARCHIVE COMPONENT library
  LIBRARY COMPONENT library
  FILE_SET HEADERS COMPONENT library)
install(EXPORT soquete NAMESPACE soquete:: FILE soquete-targets.cmake
  DESTINATION "${package_folder}" COMPONENT library)
configure_package_config_file(cmake/soquete-config.cmake.in soquete-config.cmake
  INSTALL_DESTINATION "${package_folder}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(soquete-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/soquete-config.cmake" "${PROJECT_BINARY_DIR}/soquete-config-version.cmake"
  DESTINATION "${package_folder}" COMPONENT library)

# For pkg-config all is told from where soquete.pc stands, so that the whole may be moved.
file(RELATIVE_PATH SOQUETE_UP "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" SOQUETE_UP "${SOQUETE_UP}")
configure_file(cmake/soquete.pc.in soquete.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/soquete.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)

# The command.
if(TARGET soquete-cli)
  if(kind STREQUAL "SHARED_LIBRARY")
    file(RELATIVE_PATH to_library "/prefix/${CMAKE_INSTALL_BINDIR}" "/prefix/${CMAKE_INSTALL_LIBDIR}")
    set_target_properties(soquete-cli PROPERTIES INSTALL_RPATH "$ORIGIN/${to_library}")
  endif()
  install(TARGETS soquete-cli RUNTIME COMPONENT command)
  # docs/man/soquete.1, and by language docs/man/LANGUAGE/soquete.1.
  file(GLOB manuals RELATIVE "${PROJECT_SOURCE_DIR}/docs/man" docs/man/*.1 docs/man/*/*.1)
  foreach(manual IN LISTS manuals)
    get_filename_component(language "${manual}" DIRECTORY)
    install(FILES "docs/man/${manual}" DESTINATION "${CMAKE_INSTALL_MANDIR}/${language}/man1" COMPONENT command)
  endforeach()
endif()

# Documents, in the folders that they name each other by.
foreach(component IN ITEMS command library)
  install(FILES CHANGELOG.md LICENSE README.md README.pt-BR.md
    DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT ${component})
endforeach()
install(DIRECTORY docs examples DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT library
  FILES_MATCHING PATTERN "*.md" PATTERN "*.svg" PATTERN "*.cpp" PATTERN "man" EXCLUDE)

if(kind STREQUAL "STATIC_LIBRARY" AND TARGET soquete-cli)
  include(cmake/debian.cmake)
endif()
