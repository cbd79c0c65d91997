/** Microseconds since the Unix epoch by this machine's clock, monotonic within the page. */
export function localNowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

interface Sample {
  readonly roundTripUs: number;
  readonly offsetUs: number;
}

const KEPT = 12;

/**
 * The server's clock, estimated from pings: of the last samples the one with the shortest round trip is believed, since
 * half of its round trip bounds its error (the way of NTP, RFC 5905).
 */
export class ServerClock {
  private samples: Sample[] = [];

  add(sentUs: number, receivedUs: number, serverUs: number): void {
    const roundTripUs = receivedUs - sentUs;
    if (roundTripUs < 0) return;
    this.samples.push({ roundTripUs, offsetUs: serverUs - (sentUs + receivedUs) / 2 });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  reset(): void {
    this.samples = [];
  }

  get known(): boolean {
    return this.samples.length > 0;
  }

  private get best(): Sample | undefined {
    return this.samples.reduce<Sample | undefined>(
      (best, sample) => (best === undefined || sample.roundTripUs <= best.roundTripUs ? sample : best),
      undefined,
    );
  }

  /** Server time less local time, microseconds; 0 while nothing is known. */
  get offsetUs(): number {
    return this.best?.offsetUs ?? 0;
  }

  /** The shortest round trip of late, microseconds. */
  get roundTripUs(): number {
    return this.best?.roundTripUs ?? 0;
  }

  nowUs(): number {
    return localNowUs() + this.offsetUs;
  }
}
