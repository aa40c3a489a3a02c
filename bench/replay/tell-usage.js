/**
 * Loaded before a command by `--import`: tells on file descriptor 3 what the process took, when it ends.
 */
import { writeSync } from "node:fs";

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMb: maxRSS / 1024 };
  writeSync(3, JSON.stringify(usage));
});
