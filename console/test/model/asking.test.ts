/** However slow answers are, each comes; and however many want one, no two are asked for at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Asking } from "../../src/model/asking.ts";

/** Asks somebody who answers when told to. */
function slow(): { asking: Asking; answers: (() => void)[] } {
  const answers: (() => void)[] = [];
  return { asking: new Asking(() => new Promise((resume) => { answers.push(resume); })), answers };
}

test("who comes while an answer is under way shares the next one, and the one under way is not thrown away", async () => {
  const { asking, answers } = slow();
  const first = asking.again();
  const between = first.then(() => asking.again()); // the first is over, and the next has not begun
  const later = [between, asking.again(), asking.again()];
  assert.equal(answers.length, 1);
  answers[0]?.();
  await first;
  assert.equal(asking.signal.aborted, false);
  assert.equal(answers.length, 2);
  answers[1]?.();
  await Promise.all(later);
  assert.equal(answers.length, 2);
  void asking.again();
  assert.equal(answers.length, 3);
});

test("once stopped it asks no more, whoever still waits", async () => {
  const { asking, answers } = slow();
  const waiting = [asking.again(), asking.again()];
  asking.stop();
  assert.equal(asking.signal.aborted, true);
  answers[0]?.();
  await Promise.all([...waiting, asking.again()]);
  assert.equal(answers.length, 1);
});
