// Takes the slot. `wtpool ci begin` reads the job's variables and writes $GITHUB_OUTPUT and $GITHUB_ENV itself.
'use strict';
const fs = require('fs');
const { spawnSync } = require('child_process');

function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] || '').trim();
}

const args = [];
if (input('pool')) args.push('--pool', input('pool'));
args.push('ci', 'begin', '--for', 'github');
if (input('commit')) args.push('--commit', input('commit'));
if (input('group')) args.push('--group', input('group'));
if (input('wait')) args.push(`--wait=${input('wait')}`);

const done = spawnSync('wtpool', args, { stdio: ['ignore', 'inherit', 'inherit'] });
if (done.error) {
  process.stdout.write(`::error::cannot run wtpool: ${done.error.message}; is it in the PATH of the runner's service?\n`);
  process.exit(1);
}
// The post step gives back what this step took, and nothing when it took nothing.
if (done.status === 0 && process.env.GITHUB_STATE) fs.appendFileSync(process.env.GITHUB_STATE, 'taken=true\n');
if (done.status !== 0) process.stdout.write(`::error::wtpool gave no slot (exit code ${done.status})\n`);
process.exit(done.status === null ? 1 : done.status);
