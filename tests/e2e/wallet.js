// Announces the wallets of a test to the page (EIP-6963). Every request goes through the binding
// `scriptedWalletRequest` to Python, so that the page itself never talks to the chain.
(wallets) => {
  const providers = new Map();
  const waiting = new Map();

  const answered = ({ result, error }, resolve, reject) => {
    if (!error) return resolve(result);
    reject(Object.assign(new Error(error.message), { code: error.code, data: error.data }));
  };

  class Provider {
    #listeners = new Map();

    constructor(rdns) {
      this.rdns = rdns;
    }

    async request({ method, params = [] }) {
      // A copy, as wallets make one on the way out of the page.
      const call = structuredClone({ method, params });
      const answer = await globalThis.scriptedWalletRequest(this.rdns, call.method, call.params);
      for (const [event, value] of answer.events) this.emit(event, value);
      return new Promise((resolve, reject) => {
        if (answer.waits) waiting.set(answer.waits, [resolve, reject]);
        else answered(answer, resolve, reject);
      });
    }

    on(event, listener) {
      this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    }

    removeListener(event, listener) {
      const kept = (this.#listeners.get(event) ?? []).filter((one) => one !== listener);
      this.#listeners.set(event, kept);
    }

    emit(event, value) {
      for (const listener of this.#listeners.get(event) ?? []) listener(value);
    }
  }

  const details = wallets.map((info) => {
    const provider = new Provider(info.rdns);
    providers.set(info.rdns, provider);
    return Object.freeze({ info: Object.freeze(info), provider });
  });
  const announce = () => {
    for (const detail of details) {
      window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    }
  };
  window.addEventListener("eip6963:requestProvider", announce);
  announce();

  Object.defineProperty(globalThis, "scriptedWallets", {
    value: Object.freeze({
      /** Python emits an event of a wallet's own. */
      emit: (rdns, event, value) => providers.get(rdns).emit(event, value),
      /** Python answers a request that was kept waiting; false where a reload has forgotten it. */
      settle(id, answer) {
        const [resolve, reject] = waiting.get(id) ?? [];
        if (!resolve) return false;
        waiting.delete(id);
        answered(answer, resolve, reject);
        return true;
      },
    }),
  });
};
