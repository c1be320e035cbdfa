// Makes a component of a JavaScript module.
//
// In: the module, a folder of WIT, where to write, the world, features to leave out. Run by large_guests.py from a folder
// that has componentize-js.

import { writeFileSync } from "node:fs";
import { componentize } from "@bytecodealliance/componentize-js";

const [sourcePath, witPath, output, worldName, ...disableFeatures] = process.argv.slice(2);
const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
writeFileSync(output, component);
