// What a user of the server must be allowed, for hints; docs/api.md says the same.

/** Of an ACL, beside the keys. */
export const neededCommands =
  "+hello +fcall +function|load +@hash +@sortedset +@list +exists +unlink +rename +pexpire +time";

/** What is needed beside them for a `database` other than 0, and in a cluster. */
export const neededForDatabase = "+select";
export const neededInCluster = "+cluster|slots +asking";

export const neededRights = `grant the user \`${neededCommands}\` on the keys of the prefix (\`~<prefix>:*\`), for a \`database\` \`${neededForDatabase}\`, in a cluster \`${neededInCluster}\`; where functions are forbidden, \`+eval +evalsha\` instead of \`+fcall +function|load\`; a user of \`anykv serve\` who may only read cannot write`;
