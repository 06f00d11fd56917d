using LServe.Contracts;
using LServe.Sessions;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>Where a session can move to.</summary>
internal static class SessionMigration
{
    /// <param name="name">Name of the silo; null: the roomiest.</param>
    /// <exception cref="LServeException">There is no such silo, or it can't have the session.</exception>
    public static SiloView Choose(IReadOnlyList<SiloView> known, SiloAddress here, SessionEnvironment environment, string? name)
    {
        if (!environment.SharedStores)
            throw LServeException.Invalid("Each silo of this cluster has a store of its own, so that a session can't go on elsewhere. Give all of them the same one.");
        var others = known.Where(silo => !silo.Address.Equals(here) && !silo.Report.Draining && silo.Report.Content == environment.Fingerprint?.Content).ToList();
        if (others.Count == 0) throw LServeException.Overloaded("There is no other silo with this session's model. Start one, or try again when it has joined.");
        if (name is null) return SiloChoice.Roomiest(others) ?? throw LServeException.Overloaded("All other silos are short of KV pages. Try again shortly.");
        return others.FirstOrDefault(silo => silo.Report.Silo.Name == name)
            ?? throw LServeException.Invalid($"The session can't go to '{name}'; it can go to {string.Join(", ", others.Select(silo => silo.Report.Silo.Name))}.", "silo");
    }
}
