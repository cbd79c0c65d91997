// Times a case as ../../README.md says: repeated in one process, the best counts.

const now = () => performance.now()

// Runs `core`, then `readout` with its result, as one timed region.
export const timed = (core, readout) => {
  const begin = now()
  const result = core()
  const middle = now()
  const seen = readout(result)
  const end = now()
  return { result, ms: end - begin, core_ms: middle - begin, ...seen }
}

const round = value => Math.round(value * 10000) / 10000

// Repeats `run`, which gives what `timed` gave, for at least `seconds` and three times; once when that takes over 3 s.
export const repeat = (seconds, run) => {
  const samples = []
  const begin = now()
  do {
    const { result, ...sample } = run()
    samples.push(sample)
    if (sample.ms > 3000) break
  } while (samples.length < 3 || now() - begin < 1000 * seconds)
  samples.sort((a, b) => a.ms - b.ms)
  const best = samples[0]
  for (const name of Object.keys(best)) if (name.endsWith('ms')) best[name] = round(best[name])
  return { ...best, median_ms: round(samples[samples.length >> 1].ms), repeats: samples.length }
}

export const print = line => console.log(JSON.stringify(line))
