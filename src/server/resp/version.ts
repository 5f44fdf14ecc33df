// Version: what clients are told that the server is like.

/** Clients go by it: the commands that are here behave as in this version of Redis OSS and in Valkey. */
export const compatibleVersion = "7.2.4";
