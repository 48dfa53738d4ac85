/**
 * npm run completion [-- EVERY]: at every place (or one of so many) between two tokens of all samples and documented examples,
 * whether the word that follows is offered, and how much of what is offered the parser refuses. --typing: with the rest of the
 * line not written yet. --verbose lists what is not offered and what is refused.
 */
import { measure, share } from '../test/support/completion-places';
import { documented, samples } from '../test/support/examples';

const args = process.argv.slice(2);
const every = Number(args.find((arg) => /^\d+$/.test(arg)) ?? 1);
const { places, offered, items, refused, missing, wrong } = measure([...samples(), ...documented()], every, args.includes('--typing'));
if (args.includes('--verbose')) {
  for (const each of missing) console.log(`not offered  ${each}`);
  for (const each of wrong) console.log(`refused      ${each}`);
}
console.log(`the word that follows is offered: ${share(offered, places)}`);
console.log(`offered and refused by the parser: ${share(refused, items)}`);
