// anykv/server: the public entry of the server.

export type { HttpAddress } from "./http/http-door.js";
export type { HttpOptions, HttpToken } from "./http/http-options.js";
export type { RespAddress } from "./resp/resp-door.js";
export type { RespOptions, RespUser } from "./resp/resp-options.js";
export { type KvServer, type ServeOptions, type ServerAddress, serve } from "./serve.js";
