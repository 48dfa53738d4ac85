/** Calls back once messages that have come in were received: a message to oneself comes behind them, and no timer is as quick. */
const waiting: (() => void)[] = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => waiting.shift()?.();

export function soon(call: () => void): void {
  waiting.push(call);
  port2.postMessage(null);
}
