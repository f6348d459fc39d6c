"""What ``wellsentry models`` does: find, show, compare and check models of the registry, and put one in force."""
