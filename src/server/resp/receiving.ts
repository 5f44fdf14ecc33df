// Receiving: how the bytes of a connection come in.
//
// Node allots 64 KiB for every read of a socket and gives most of it back, which costs a small
// request as much as carrying it out. Where Node has what it takes (`onread`, which servers are not
// offered), all connections read into one buffer instead: what is left in it at the end of a call is
// overwritten by the next one. Elsewhere, and with TLS, reads are those of any stream.

import { Socket } from "node:net";
import { TLSSocket } from "node:tls";

const bufferBytes = 65_536;
const buffer = Buffer.allocUnsafeSlow(bufferBytes);

/** What Node keeps of a connection below its streams. */
interface Handle {
  readonly useUserBuffer?: unknown;
}

/** A socket that nothing has been read from; `receive` is given chunks, each until it returns. */
export function receiving(socket: Socket, receive: (chunk: Buffer) => void): Socket {
  const handle = handleOf(socket);
  if (handle === undefined) {
    socket.on("data", receive);
    socket.resume();
    return socket;
  }
  const callback = (bytes: number): boolean => {
    receive(buffer.subarray(0, bytes));
    return true;
  };
  const options = { handle, allowHalfOpen: true, onread: { buffer, callback } };
  const reading = new Socket(options);
  reading.resume();
  reading.read(0);
  return reading;
}

/** Takes the handle away from a socket, which is of no use any more then. */
function handleOf(socket: Socket): Handle | undefined {
  if (socket instanceof TLSSocket) return undefined;
  const owner = socket as unknown as { _handle?: Handle | null };
  const handle = owner._handle;
  if (!handle || typeof handle.useUserBuffer !== "function") return undefined;
  owner._handle = null;
  socket.destroy();
  return handle;
}
