using LServe.Sessions;

namespace LServe.Silo;

/// <summary>Stores that several servers share need packages that this edition does without.</summary>
internal static class SharedStore
{
    /// <exception cref="StartException">Always.</exception>
    public static Task<(ISessionStore Sessions, IKvPageStore Pages)> OpenAsync(SiloOptions options) => throw new StartException(
        "--store needs the cluster edition and this is the single-machine one; where its packages restore, './lserve --edition cluster' gets it.");
}
