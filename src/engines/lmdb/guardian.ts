// Guardian: a process that does nothing but wait for the end of whoever started it.
//
// Its input is a pipe from the thread that it watches over. The system closes that pipe
// when the thread ends in any way (return, exit, kill -9, a terminated worker), and then the
// guardian takes the thread out of its shared place, as `leave` of shared-place.ts does. It acts on
// names that nobody else uses, so it does no harm if somebody has been there before it.
//
// It lives in a session of its own: Ctrl-C and the end of a terminal do not reach it. It keeps
// nothing alive: not its process, not a directory, not a terminal. Where there is no /bin/sh, there
// is no guardian, and what a killed process has left goes with the next opening.

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { isMainThread } from "node:worker_threads";

export interface Guardian {
  /** There is nothing to watch over any more. */
  dismiss(): void;
}

export interface Watched {
  /** The directory of the shared place. */
  readonly directory: string;
  /** The name of the user in it. */
  readonly user: string;
  /** Where the place is prepared before it gets its name. */
  readonly draft: string;
}

// A line says that all is well; the end of the input without one, that somebody has died. Data go
// when there are no users of their generation, whoever has removed the last one.
const script = `
trap '' HUP INT TERM
directory=$1 user=$2 draft=$3
watch() {
  read -r word <&3 && exit 0
  rm -rf "$draft"
  rm -f "$directory"/users-*/"$user"
  for data in "$directory"/data-*; do
    generation=\${data##*/data-}
    generation=\${generation%-lock}
    rmdir "$directory/users-$generation"
    [ -e "$directory/users-$generation" ] || rm -f "$directory/data-$generation"*
  done
  rmdir "$directory"
}
if [ "$4" = apart ]; then
  watch &
else
  watch
fi
`;

// A process that has ended must be taken leave of by the one that started it. A worker thread may
// be gone by then, so its guardian becomes a child of the system, which cares for orphans, unless
// this process is the first of a container and would have to do that itself.
const apart = !isMainThread && process.pid !== 1;

export function startGuardian(watched: Watched): Guardian {
  const input = spawnShell(watched);
  return { dismiss: () => input?.end("well\n") };
}

/** The input of the guardian; undefined where there cannot be one. */
function spawnShell({ directory, user, draft }: Watched): Socket | undefined {
  if (process.platform === "win32") return undefined;
  const mode = apart ? "apart" : "child";
  try {
    const child: ChildProcess = spawn(
      "/bin/sh",
      ["-c", script, "anykv-guardian", directory, user, draft, mode],
      {
        cwd: "/",
        detached: true,
        env: { PATH: `${process.env.PATH ?? ""}:/usr/bin:/bin` },
        // Not the standard input: Node closes that with the process it has started.
        stdio: ["ignore", "ignore", "ignore", "pipe"],
      },
    );
    // Told when there is no shell, or no room for one more process.
    child.on("error", () => {});
    child.unref();
    const input = child.stdio?.[3] as Socket | null | undefined;
    // Told when somebody has killed the guardian.
    input?.on("error", () => {}).unref();
    return input ?? undefined;
  } catch {
    return undefined;
  }
}
