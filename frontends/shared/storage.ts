/** A value kept as JSON under one name; a browser that refuses storage only forgets sooner. */
export class Kept<T> {
  constructor(
    private readonly store: () => Storage,
    private readonly name: string,
    private readonly otherwise: T,
  ) {}

  get(): T {
    try {
      const text = this.store().getItem(this.name);
      return text === null ? this.otherwise : (JSON.parse(text) as T);
    } catch {
      return this.otherwise;
    }
  }

  /** Answers whether it was stored. */
  set(value: T): boolean {
    try {
      this.store().setItem(this.name, JSON.stringify(value));
      return true;
    } catch {
      // Private windows may refuse: the value lives as long as the page. What was stored before is
      // not true any more.
      this.clear();
      return false;
    }
  }

  clear(): void {
    try {
      this.store().removeItem(this.name);
    } catch {
      // Nothing was stored either.
    }
  }
}

/** 128 random bits as 32 hexadecimal digits. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
