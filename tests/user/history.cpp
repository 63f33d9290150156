// Prints the hash of a simulated history: package_test compares it with what its own compiler options give.
#include "history.hpp"

#include <cstdio>

int main() { std::printf("%016llx\n", static_cast<unsigned long long>(history::hash())); }
