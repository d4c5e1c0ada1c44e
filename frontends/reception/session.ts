import type { Api } from "../shared/api.ts";
import { ApiError } from "../shared/api.ts";
import { Kept } from "../shared/storage.ts";
import type { Session, Staff } from "../shared/wire.ts";

/**
 * Who is signed in on this tab.
 *
 * The access token lives in memory only. The refresh token lives as long as the tab, so that a
 * reload keeps the desk signed in and closing the tab does not.
 */
export class StaffSession {
  staff: Staff | null = null;
  private access: string | null = null;
  private readonly refreshToken = new Kept<string | null>(
    () => sessionStorage,
    "5sov.refresh",
    null,
  );
  private renewing: Promise<boolean> | null = null;

  constructor(
    private readonly api: () => Api,
    /** Told when the session is over and people have to sign in again. */
    private readonly ended: () => void,
  ) {}

  readonly token = (): string | null => this.access;

  /** Signs in. Raises what the API raises. */
  async signIn(username: string, password: string): Promise<Staff> {
    return this.accept(await this.api().login(username, password));
  }

  /** Goes on after a reload; false when there is nothing to go on with. */
  async resume(): Promise<boolean> {
    return this.refreshToken.get() !== null && this.renew();
  }

  /**
   * Gets a new access token, once for all requests that wait for it.
   *
   * Answers false when the session is over. Raises `Unreachable` when nobody can tell: then the
   * session is kept.
   */
  readonly renew = (): Promise<boolean> => {
    this.renewing ??= this.exchange().finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  };

  /** Signs out here, and on the server if it can be reached. */
  async signOut(): Promise<void> {
    const told = this.api().logout();
    this.forget();
    await told.catch(() => {
      // The session runs out by itself; this device has already forgotten it.
    });
  }

  private async exchange(): Promise<boolean> {
    const before = this.refreshToken.get();
    if (before === null) return false;
    try {
      this.accept(await this.api().refresh(before));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.forget();
      this.ended();
      return false;
    }
  }

  private accept(session: Session): Staff {
    this.access = session.accessToken;
    this.staff = session.staff;
    this.refreshToken.set(session.refreshToken);
    return session.staff;
  }

  private forget(): void {
    this.access = null;
    this.staff = null;
    this.refreshToken.clear();
  }
}
