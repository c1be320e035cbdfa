"""WebAssembly as first-class registry entries beside Lua."""
