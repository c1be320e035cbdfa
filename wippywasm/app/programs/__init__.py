"""From checked entries to what runs: binaries read and verified, components compiled, Lua parsed."""
