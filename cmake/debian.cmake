# Debian packages by `cpack -G DEB`, as `./dev package` runs it: soquete, the command, and libsoquete-dev.
if(NOT DEFINED CPACK_TEMPORARY_DIRECTORY)
  set(SOQUETE_MAINTAINER "The soquete authors <soquete@packages.invalid>" CACHE STRING
    "Who answers for the Debian packages")
  set(CPACK_PACKAGE_CONTACT "${SOQUETE_MAINTAINER}")
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_FILE}")
  set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  set(CPACK_COMPONENTS_ALL command library)
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # Each has its own, as the first line of its description.
  set(CPACK_DEB_COMPONENT_INSTALL ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
  set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

  set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME soquete)
  set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION net)
  set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_COMMAND_DESCRIPTION "join sockets, programs and standard streams
The command soquete connects and listens, forwards ports, and runs a program
for each client. Half closes stay half closed, resets stay resets, output
arrives in full, and exit codes mean something. It can tell what the sockets
do, call by call, for those who learn.")

  set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libsoquete-dev)
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "libstdc++-12-dev | libstdc++-dev")
  foreach(module IN LISTS SOQUETE_MODULES)  # Debian names these as pkg-config does.
    string(APPEND CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS ", ${module}-dev")
  endforeach()
  set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS "soquete, cmake | pkgconf")
  set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "sockets for C++23: headers and static library
Coroutines over io_uring, epoll or poll, chosen at run time; errors as values;
deadlines and cancellation that cannot leak; servers with limits and an
orderly end.
.
CMake finds it as soquete, pkg-config too.")
  include(CPack)
  return()
endif()

# From here on cpack runs it, on what it has gathered: documents in the folder of their own package, copyright
# and changelogs by the names that the Debian policy gives them, compressed.  Chapters 12.3, 12.5, 12.7
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
string(TIMESTAMP today "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER "${component}" upper)
  set(share "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr/share")
  set(documents "${share}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
  if(NOT EXISTS "${documents}")
    file(RENAME "${share}/doc/soquete" "${documents}")
  endif()
  file(RENAME "${documents}/LICENSE" "${documents}/copyright")
  file(RENAME "${documents}/CHANGELOG.md" "${documents}/changelog")
  file(WRITE "${documents}/changelog.Debian" "soquete (${CPACK_PACKAGE_VERSION}-1) unstable; urgency=medium\n\n"
    "  * Version ${CPACK_PACKAGE_VERSION}; changelog.gz tells what is new.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${today}\n")
  file(GLOB_RECURSE to_compress "${documents}/changelog*" "${share}/man/*.1")
  execute_process(COMMAND gzip -9n ${to_compress} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB programs "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr/bin/*")
  if(programs)
    execute_process(COMMAND strip --remove-section=.comment ${programs} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
