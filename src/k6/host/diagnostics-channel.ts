// Tracing channels in k6, where nobody can subscribe: stands in the bundle for
// `node:diagnostics_channel`.

interface Channel<Store, Message> {
  readonly hasSubscribers: false;
  publish(message: Message): void;
  runStores<Result>(store: Store, call: () => Result): Result;
}

function channel<Store, Message>(): Channel<Store, Message> {
  return { hasSubscribers: false, publish: () => {}, runStores: (_store, call) => call() };
}

export function tracingChannel<Store, Message>(_name: string) {
  return {
    start: channel<Store, Message>(),
    end: channel<Store, Message>(),
    asyncStart: channel<Store, Message>(),
    asyncEnd: channel<Store, Message>(),
    error: channel<Store, Message>(),
  };
}
