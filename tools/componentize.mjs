// Turns a core module into a component: embeds its world, then adapts preview 1 to WASI 0.2.
//
// In: WIT file (or "-" where the adapter has the world), world, core module, adapter (or "-" for none), where to write.
// Run by build_guests.py from a folder that has jco.

import { readFileSync, writeFileSync } from "node:fs";
import { componentEmbed, componentNew } from "@bytecodealliance/jco";

const [wit, world, core, adapter, output] = process.argv.slice(2);
const binary = readFileSync(core);
const embedded = wit === "-" ? binary : await componentEmbed({ binary, witSource: readFileSync(wit, "utf8"), world });
const adapters = adapter === "-" ? [] : [["wasi_snapshot_preview1", readFileSync(adapter)]];
writeFileSync(output, await componentNew(embedded, adapters));
