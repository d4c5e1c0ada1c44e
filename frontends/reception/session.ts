import type { Api } from "../shared/api.ts";
import { ApiError, Unreachable } from "../shared/api.ts";
import { Kept } from "../shared/storage.ts";
import type { Session, Staff } from "../shared/wire.ts";
import type { Device } from "./device.ts";

/** Who is signed in on this device, with the tokens that prove it. */
interface SignedIn {
  readonly staff: Staff;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the session ends, however it is refreshed, in unix milliseconds. */
  readonly endsAt: number;
}

/** Why nobody is signed in any more: the person signed out, or the session was over. */
export type Over = "signed-out" | "ended";

/**
 * What happened to the session elsewhere than in `signIn` and `signOut` of this tab. `signed-in`: a
 * person, perhaps another one, signed in on another tab, or got or chose a new password there.
 */
export type SessionChange = Over | "signed-in";

type Stored = SignedIn | { readonly over: Over };

const LOCK = "5sov.session";
const REFRESH_PAUSES_MS = [1000, 5000];
/** A console that nobody had open for longer asks for a password. */
const ABSENCE_MS = 900_000;

/**
 * Who is signed in on this device: one person at a time, in all its tabs.
 *
 * The tabs share one pair of tokens, as each renewal ends the pair before it. A refresh token whose
 * answer was lost may come again within a minute; one that comes otherwise ends the session
 * (decision 4). The session outlives a reload, but not the last
 * tab: whoever opens the console next has to sign in.
 */
export class StaffSession {
  private current: SignedIn | null = null;
  /** All access tokens that this person had since signing in. */
  private readonly tokens = new Set<string>();
  private readonly kept: Kept<Stored | null>;
  /**
   * When this tab was seen last, in unix milliseconds: tells a reload from the first tab of a day,
   * also where the browser brings a closed tab back.
   */
  private readonly keptTab: Kept<number>;
  private renewing: Promise<boolean> | null = null;

  constructor(
    private readonly api: () => Api,
    private readonly device: Device,
    private readonly changed: (change: SessionChange) => void,
  ) {
    this.kept = new Kept(() => device.shared(), "5sov.session", null);
    this.keptTab = new Kept(() => device.own(), "5sov.tab", Number.NEGATIVE_INFINITY);
    device.onShared(() => this.follow());
    // A tab that was put aside may not have heard.
    device.onVisible(() => this.follow());
  }

  get staff(): Staff | null {
    return this.current?.staff ?? null;
  }

  /** When the session ends, in unix milliseconds; null while nobody is signed in. */
  get endsAt(): number | null {
    return this.current?.endsAt ?? null;
  }

  readonly token = (): string | null => this.current?.accessToken ?? null;

  /** Signs in. Raises what the API raises. */
  async signIn(username: string, password: string): Promise<Staff> {
    const session = await this.api().login(username, password);
    this.tokens.clear();
    return this.accept(session);
  }

  /** Goes on with this device's session after a reload or in another tab; asks no server. */
  async resume(): Promise<boolean> {
    const othersOpen = await this.device.othersOpen();
    const stored = this.kept.get();
    if (!stored || "over" in stored) return false;
    if (!othersOpen && Math.abs(this.device.time() - this.keptTab.get()) > ABSENCE_MS) {
      this.current = stored;
      void this.signOut();
      return false;
    }
    this.adopt(stored);
    return true;
  }

  /**
   * Gets another access token in place of `refused`, once for all requests and tabs that wait.
   *
   * Answers false when the session is over, or is another person's by now. Raises `Unreachable`
   * when nobody can tell: then the session is kept.
   */
  readonly renew = (refused: string | null): Promise<boolean> => {
    if (!this.current || !refused || !this.tokens.has(refused)) return Promise.resolve(false);
    if (this.current.accessToken !== refused) return Promise.resolve(true);
    this.renewing ??= this.device
      .alone(LOCK, () => this.exchange(refused))
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  };

  /** The console is open still. */
  seen(): void {
    this.keptTab.set(this.device.time());
  }

  /** Asks for the person's rights as they are now. Raises `Unreachable`. */
  async reload(): Promise<void> {
    await this.renew(this.token());
  }

  /** The API has taken the new password: this session goes on. */
  passwordChanged(): void {
    if (!this.current) return;
    const staff = { ...this.current.staff, mustChangePassword: false };
    this.store({ ...this.current, staff });
  }

  /** The API wants a new password before anything else. */
  passwordExpired(): void {
    if (!this.current) return;
    this.store({ ...this.current, staff: { ...this.current.staff, mustChangePassword: true } });
  }

  /** Signs out in all tabs, and on the server if it can be reached. */
  async signOut(): Promise<void> {
    const { current } = this;
    this.end("signed-out");
    if (!current) return;
    await this.revoke(current).catch(() => {
      // The session runs out by itself; this device has already forgotten it.
    });
  }

  /** Ends the session at the API, with another access token where this one ran out. */
  private async revoke({ accessToken, refreshToken }: SignedIn): Promise<void> {
    try {
      await this.api().logout(accessToken);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const renewed = await this.api().refresh(refreshToken);
      await this.api().logout(renewed.accessToken);
    }
  }

  private async exchange(refused: string): Promise<boolean> {
    this.follow();
    const { current } = this;
    if (!current || !this.tokens.has(refused)) return false;
    if (current.accessToken !== refused) return true;
    try {
      const session = await this.refresh(current);
      if (!this.isStill(current)) return false;
      this.accept(session);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 429) throw new Unreachable("too many renewals", { cause: error });
      if (this.isStill(current)) {
        this.end("ended");
        this.changed("ended");
      }
      return false;
    }
  }

  /** Asks for new tokens, again and soon where no answer comes: the API forgives for a minute. */
  private async refresh(spent: SignedIn): Promise<Session> {
    for (const pause of REFRESH_PAUSES_MS) {
      try {
        return await this.api().refresh(spent.refreshToken);
      } catch (error) {
        if (error instanceof ApiError || !this.isStill(spent)) throw error;
        await new Promise<void>((go) => this.device.later(go, pause));
      }
    }
    return this.api().refresh(spent.refreshToken);
  }

  /** Whether these are the tokens still, whatever else became known of the person. */
  private isStill({ refreshToken }: SignedIn): boolean {
    return this.current?.refreshToken === refreshToken;
  }

  /** Takes over what another tab made of the session. */
  private follow(): void {
    const stored = this.kept.get();
    if (!stored) return;
    if ("over" in stored) {
      if (!this.current) return;
      this.current = null;
      this.changed(stored.over);
      return;
    }
    const { accessToken, staff: before } = this.current ?? {};
    const { username, mustChangePassword } = stored.staff;
    const sameStep = mustChangePassword === before?.mustChangePassword;
    if (stored.accessToken === accessToken && sameStep) return;
    this.adopt(stored);
    if (username !== before?.username || !sameStep) this.changed("signed-in");
  }

  private adopt(stored: SignedIn): void {
    if (stored.staff.username !== this.current?.staff.username) this.tokens.clear();
    this.tokens.add(stored.accessToken);
    this.current = stored;
    this.seen();
  }

  private accept(session: Session): Staff {
    const { accessToken, refreshToken, staff, sessionEndsIn } = session;
    this.store({
      accessToken,
      refreshToken,
      staff,
      endsAt: this.device.time() + sessionEndsIn * 1000,
    });
    return staff;
  }

  private store(session: SignedIn): void {
    this.adopt(session);
    this.kept.set(session);
  }

  private end(over: Over): void {
    this.current = null;
    this.kept.set({ over });
  }
}
