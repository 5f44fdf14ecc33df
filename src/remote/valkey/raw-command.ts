// Raw commands: what is asked of one node while opening a store and loading its library.

import { bulk } from "./encode-call.js";
import type { ClientCommand, NodeClient } from "./valkey-client.js";

class RawCommand implements ClientCommand {
  readonly name: string;
  readonly args: readonly unknown[] = [];
  readonly promise: Promise<unknown>;
  resolve!: (reply: unknown) => void;
  reject!: (error: Error) => void;
  readonly #payload: string;

  constructor(words: readonly string[]) {
    this.name = (words[0] as string).toLowerCase();
    this.#payload = `*${words.length}\r\n${words.map(bulk).join("")}`;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  toWritable(): string {
    return this.#payload;
  }

  getSlot(): null {
    return null;
  }

  getKeys(): readonly string[] {
    return [];
  }

  setReplyContext(): void {}

  setBlockingTimeout(): void {}

  setTimeout(): void {}
}

/** The reply of a node, with bytes for text. Repeating the command must do no harm. */
export function ask(node: NodeClient, ...words: readonly string[]): Promise<unknown> {
  const command = new RawCommand(words);
  node.sendCommand(command);
  return command.promise;
}
