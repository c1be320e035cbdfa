// The tour in JavaScript: a component of WASI 0.2. tour.wit says what each word does. Built by componentize-js.

import { getArguments, getEnvironment } from "wasi:cli/environment@0.2.10";
import { exit } from "wasi:cli/exit@0.2.10";
import { getStderr } from "wasi:cli/stderr@0.2.10";
import { getStdin } from "wasi:cli/stdin@0.2.10";
import { getStdout } from "wasi:cli/stdout@0.2.10";
import { getDirectories } from "wasi:filesystem/preopens@0.2.10";

const CHUNK = 4096; // what one flushing write takes

// ------------------------------------------------------------------------------------------------ library

export const library = {
  transform(users) {
    if (users.length === 0) throw "empty";
    if (users.length > 10000) throw "too-many";
    const sorted = users.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return sorted.map((user) => [user.id, outcome(user)]);
  },

  read(path) {
    try {
      return new TextDecoder().decode(readFile(path));
    } catch (error) {
      throw String(error.payload ?? error);
    }
  },
};

const outcome = (user) =>
  user.active ? { tag: "kept", val: `${user.name}: ${user.tags.join(", ")}` } : { tag: "dropped" };

// ------------------------------------------------------------------------------------------------ command

export const run = {
  async run() {
    const [, word, ...words] = getArguments();
    try {
      if (!Object.hasOwn(WORDS, word)) throw new Error(`what is '${word}'?`);
      await WORDS[word](...words);
    } catch (error) {
      write(getStderr(), `tour: ${error.payload === undefined ? error : JSON.stringify(error.payload)}\n`);
      throw undefined;
    }
  },
};

const WORDS = {
  arguments: (...words) => words.forEach(print),
  environment(...names) {
    const values = new Map(getEnvironment());
    for (const name of names) print(values.has(name) ? `${name}=${values.get(name)}` : `${name} is not set`);
  },
  upper() {
    const output = getStdout();
    for (const part of chunks(getStdin())) write(output, new TextDecoder().decode(part).toUpperCase());
  },
  copy(from, to) {
    const data = readFile(from);
    const [folder, path] = place(to);
    const file = folder.openAt({}, path, { create: true, truncate: true }, { write: true });
    const stream = file.writeViaStream(0n);
    write(stream, data);
    drop(stream);
    drop(file);
  },
  list(path) {
    const [folder, name] = place(path);
    const listed = folder.openAt({}, name, { directory: true }, { read: true });
    const entries = listed.readDirectory();
    const names = [];
    for (let entry; (entry = entries.readDirectoryEntry()); ) names.push(entry.name);
    names.sort().forEach(print);
  },
  remove(path) {
    const [folder, name] = place(path);
    folder.unlinkFileAt(name);
  },
  async sleep(milliseconds) {
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, Number(milliseconds)));
    print(performance.now() - before >= Number(milliseconds) - 1 ? "slept" : "woke too early");
  },
  exit: (code) => exit(code === "0" ? { tag: "ok" } : { tag: "err" }), // of codes, exit has these two
  crash() {
    throw new Error("asked to");
  },
  spin() {
    print("ready");
    for (;;) {}
  },
  async fetch(url, body) {
    const headers = { "x-tour": "javascript" };
    const response = await fetch(url, body === undefined ? { headers } : { method: "POST", body, headers });
    print(`${response.status} ${await response.text()}`);
  },
};

// ------------------------------------------------------------------------------------------------ streams and files

const print = (text) => write(getStdout(), `${text}\n`);

function write(stream, data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  for (let at = 0; at < bytes.length; at += CHUNK) stream.blockingWriteAndFlush(bytes.subarray(at, at + CHUNK));
}

function* chunks(stream) {
  for (;;) {
    try {
      yield stream.blockingRead(65536n);
    } catch (error) {
      if (error.payload?.tag === "closed") return;
      throw error;
    }
  }
}

function readFile(path) {
  const [folder, name] = place(path);
  const file = folder.openAt({ symlinkFollow: true }, name, {}, { read: true });
  const stream = file.readViaStream(0n);
  const parts = [...chunks(stream)];
  drop(stream);
  drop(file);
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** The mount that a path is in, and the rest of the path. */
function place(path) {
  const fits = (mount) => path === mount || path.startsWith(mount.endsWith("/") ? mount : `${mount}/`);
  const found = getDirectories().filter(([, mount]) => fits(mount));
  if (found.length === 0) throw Object.assign(new Error("no mount"), { payload: "no-entry" });
  const [folder, mount] = found.reduce((a, b) => (b[1].length > a[1].length ? b : a));
  return [folder, path.slice(mount.length).replace(/^\/+/, "") || "."];
}

const drop = (resource) => resource[Symbol.dispose || Symbol.for("dispose")]?.();
