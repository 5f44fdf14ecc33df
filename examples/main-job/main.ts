// The main job, started by `npm start -- [options]`.

import { mainJob } from "./job.js";

process.exitCode = await mainJob(process.argv.slice(2), process.stdout, process.stderr);
