// Confirm: questions before what cannot be taken back.

import type { Terminal } from "../terminal.js";

/** False also where nobody can be asked, which is told. */
export async function isConfirmed(terminal: Terminal, question: string): Promise<boolean> {
  const answer = terminal.confirm(question);
  if (answer === undefined) {
    terminal.error("anykv: nobody can be asked here; nothing was done. Repeat it with --yes.\n");
  }
  return (await answer) === true;
}
