// Marks: names behind which numbered pages go on.
//
// Some pages are asked for by a position, or by an id, that says nothing about where the rows lie here.
// Whoever asked for the page before is remembered, so that the next one need not be looked for from
// the beginning. What has been forgotten is found again, in the time that this takes.

const marksMax = 10_000;

export class Marks {
  readonly #names = new Map<string, string>();

  get(place: string): string | undefined {
    return this.#names.get(place);
  }

  set(place: string, name: string): void {
    this.#names.delete(place);
    this.#names.set(place, name);
    if (this.#names.size <= marksMax) return;
    const [oldest] = this.#names.keys();
    if (oldest !== undefined) this.#names.delete(oldest);
  }

  /** The content is another one. */
  clear(): void {
    this.#names.clear();
  }
}
