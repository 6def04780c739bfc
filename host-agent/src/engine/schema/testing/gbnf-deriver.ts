/** A part of a rule in GBNF as this reader understands it, which shares nothing with what writes the grammars. */
type Node =
  | { kind: 'text'; text: string }
  | { kind: 'set'; ranges: (readonly [number, number])[] }
  | { kind: 'rule'; name: string }
  | { kind: 'sequence'; items: Node[] }
  | { kind: 'choice'; options: Node[] }
  | { kind: 'repeat'; item: Node; min: number; max: number }

/** Derives random texts from a grammar in GBNF. */
export class GbnfDeriver {
  readonly #rules = new Map<string, Node>()
  readonly #heights = new Map<string, number>()

  constructor(gbnf: string) {
    for (const line of gbnf.split('\n').filter((line) => line !== '')) {
      const [, name = '', body = ''] = /^([A-Za-z0-9-]+) ::= (.*)$/.exec(line) ?? []
      if (name === '' || this.#rules.has(name)) throw new Error(`not a rule: ${line}`)
      this.#rules.set(name, new Reader(body).read())
    }
    for (let changed = true; changed;) {
      changed = false
      for (const [name, node] of this.#rules) {
        const height = this.#height(node)
        if (height >= (this.#heights.get(name) ?? Number.POSITIVE_INFINITY)) continue
        this.#heights.set(name, height)
        changed = true
      }
    }
  }

  /** A text, of which each decision is made by `random` (0 to below 1). Beyond some depth it comes to an end quickly. */
  derive(random: () => number, maxDepth = 24): string {
    return this.#derive({ kind: 'rule', name: 'root' }, random, maxDepth)
  }

  #derive(node: Node, random: () => number, depth: number): string {
    switch (node.kind) {
      case 'text':
        return node.text
      case 'set': {
        const [first, last] = pick(node.ranges, random)
        return String.fromCodePoint(first + Math.floor(random() * (last - first + 1)))
      }
      case 'rule':
        return this.#derive(this.#rule(node.name), random, depth - 1)
      case 'sequence':
        return node.items.map((item) => this.#derive(item, random, depth)).join('')
      case 'choice': {
        if (depth > 0) return this.#derive(pick(node.options, random), random, depth)
        const [lowest] = node.options.toSorted((a, b) => this.#height(a) - this.#height(b))
        return lowest === undefined ? '' : this.#derive(lowest, random, depth)
      }
      case 'repeat': {
        const most = depth > 0 ? Math.min(node.max, node.min + 4) : node.min
        const atTheEnd = depth > 0 && node.max < 2_000 && random() < 0.1
        const times = atTheEnd ? node.max : node.min + Math.floor(random() * (most - node.min + 1))
        return Array.from({ length: times }, () => this.#derive(node.item, random, depth)).join('')
      }
    }
  }

  #height(node: Node): number {
    switch (node.kind) {
      case 'text':
      case 'set':
        return 0
      case 'rule':
        return 1 + (this.#heights.get(node.name) ?? Number.POSITIVE_INFINITY)
      case 'sequence':
        return Math.max(0, ...node.items.map((item) => this.#height(item)))
      case 'choice':
        return Math.min(...node.options.map((option) => this.#height(option)))
      case 'repeat':
        return node.min === 0 ? 0 : this.#height(node.item)
    }
  }

  #rule(name: string): Node {
    const rule = this.#rules.get(name)
    if (rule === undefined) throw new Error(`no rule ${name}`)
    return rule
  }
}

/** Numbers from 0 to below 1 that depend on the seed alone. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function pick<Value>(values: readonly Value[], random: () => number): Value {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}

class Reader {
  readonly #characters: readonly string[]
  #at = 0

  constructor(body: string) {
    this.#characters = Array.from(body)
  }

  read(): Node {
    const node = this.#choice()
    if (this.#at !== this.#characters.length) throw new Error(`left over at ${this.#at}`)
    return node
  }

  #choice(): Node {
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    return { kind: 'choice', options }
  }

  #sequence(): Node {
    const items: Node[] = []
    for (;;) {
      while (this.#take(' '));
      const next = this.#characters[this.#at]
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', items }
      items.push(this.#counted(this.#atom()))
    }
  }

  #counted(item: Node): Node {
    if (this.#take('?')) return { kind: 'repeat', item, min: 0, max: 1 }
    if (this.#take('*')) return { kind: 'repeat', item, min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { kind: 'repeat', item, min: 1, max: Number.POSITIVE_INFINITY }
    if (!this.#take('{')) return item
    const [, min, comma, max] = /^(\d+)(,?)(\d*)$/.exec(this.#until('}')) ?? []
    return {
      kind: 'repeat',
      item,
      min: Number(min),
      max: comma === '' ? Number(min) : max === '' ? Number.POSITIVE_INFINITY : Number(max),
    }
  }

  #atom(): Node {
    if (this.#take('(')) {
      const inside = this.#choice()
      if (!this.#take(')')) throw new Error('bracket')
      return inside
    }
    if (this.#take('"')) {
      const points: number[] = []
      while (!this.#take('"')) points.push(this.#point())
      return { kind: 'text', text: String.fromCodePoint(...points) }
    }
    if (this.#take('[')) return this.#set()
    let name = ''
    while (/^[A-Za-z0-9-]$/.test(this.#characters[this.#at] ?? '')) name += this.#next()
    if (name === '') throw new Error(`unexpected ${this.#characters[this.#at]}`)
    return { kind: 'rule', name }
  }

  #set(): Node {
    const ranges: (readonly [number, number])[] = []
    while (!this.#take(']')) {
      const first = this.#point()
      ranges.push([first, this.#take('-') ? this.#point() : first])
    }
    return { kind: 'set', ranges }
  }

  #point(): number {
    const character = this.#next()
    if (character !== '\\') return character.codePointAt(0) ?? 0
    const escape = this.#next()
    const length = { x: 2, u: 4, U: 8 }[escape]
    if (length === undefined) return escape.codePointAt(0) ?? 0
    return Number.parseInt(Array.from({ length }, () => this.#next()).join(''), 16)
  }

  #until(end: string): string {
    let text = ''
    while (!this.#take(end)) text += this.#next()
    return text
  }

  #next(): string {
    const character = this.#characters[this.#at]
    if (character === undefined) throw new Error('too short')
    this.#at += 1
    return character
  }

  #take(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false
    this.#at += 1
    return true
  }
}
