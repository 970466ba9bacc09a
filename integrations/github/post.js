// Gives the slot back: after success, failure and cancellation alike. Work that was not committed goes to the trash.
'use strict';
const { spawnSync } = require('child_process');

if (process.env.STATE_taken === 'true') {
  const pool = (process.env.INPUT_POOL || '').trim();
  const args = pool ? ['--pool', pool] : [];
  const done = spawnSync('wtpool', [...args, 'ci', 'end', '--for', 'github'], { stdio: ['ignore', 'inherit', 'inherit'] });
  // The job's result is the job's own: a slot that could not be given back is told, and ends with the worker.
  if (done.error || done.status !== 0) process.stdout.write('::warning::wtpool did not give the slot back; it ends with the worker\n');
}
