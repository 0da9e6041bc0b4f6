#!/usr/bin/env node
/**
 * The command `nightshift` on any Node from 20 up. Nightshift itself is TypeScript for Node 24: an older Node hands
 * over to the pinned one of the npm package `node`. Plain JavaScript that Node 20 can read; nothing else lives here.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_MAJOR = 24;
/** All that a terminal, a service manager or a parent sends to end a program. The child decides what follows. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

if (Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR) {
  await import('./main.ts');
} else {
  handOver(pinnedNode());
}

/** Runs this file again on another Node and ends as it ends: with its exit code, or by its signal. */
function handOver(node) {
  if (node === null) {
    process.stderr.write(
      `nightshift: Expected Node ${OLDEST_MAJOR} or later, got ${process.versions.node}, and the pinned one is not installed. Run \`npm ci\` in the clone.\n`,
    );
    process.exitCode = 1;
    return;
  }
  const script = fileURLToPath(import.meta.url);
  const child = spawn(node, [...process.execArgv, script, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(
      `nightshift: Expected ${node} to start, got: ${error.message}. Run \`npm ci\` again.\n`,
    );
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of PASSED_ON) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** The binary of the package `node`, in the nearest node_modules from here upwards; null where there is none. */
function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node', 'bin', name);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return null;
  }
}
