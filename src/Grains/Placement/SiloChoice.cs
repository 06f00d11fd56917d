using LServe.Sessions;

namespace LServe.Grains;

/// <summary>Which silo has the most room for another session, by what is known of each.</summary>
internal static class SiloChoice
{
    /// <summary>
    /// Share of a pool's pages that turns in progress may hold before a silo takes no more sessions. Below all of it, since the engine lets a turn wait rather
    /// than begin without room, so that a pool seldom fills up.
    /// </summary>
    public const double MaxBusyShare = 0.8;

    /// <summary>Tokens in the queue that make a difference.</summary>
    private const int QueueStep = 1024;

    /// <summary>Parts of a pool that make a difference.</summary>
    private const int PoolSteps = 10;

    /// <summary>Whether another session's turn would take pages from a turn in progress.</summary>
    public static bool IsShort(SiloReport report) => report.Kv.Any(pool => ShareOf(pool.BusyPages, pool) >= MaxBusyShare);

    /// <summary>
    /// The one that computes least and, among equals, has most unused pages in its fuller pool, then fewest sessions; null if all are short of pages.
    /// What differs little counts as equal, so that sessions spread where nothing speaks against it.
    /// </summary>
    public static SiloView? Roomiest(IEnumerable<SiloView> silos) => silos.Where(silo => !IsShort(silo.Report)).MinBy(LoadOf);

    /// <summary>Share of a pool in use from which a silo looks for one that it can send sessions to.</summary>
    public const double FullShare = 0.7;

    /// <summary>By how much a smaller share the other one's must be in use, so that sessions don't come back.</summary>
    public const double LeastGap = 0.3;

    /// <summary>The silo that may have some of <paramref name="crowded"/>'s sessions; null if it has room itself, or no other has much more.</summary>
    public static SiloView? Relief(SiloView crowded, IEnumerable<SiloView> others) =>
        UsedShare(crowded) is var used && used >= FullShare && Roomiest(others) is { } target && used - UsedShare(target) >= LeastGap ? target : null;

    private static double UsedShare(SiloView silo) => silo.Report.Kv.Select(pool => ShareOf(pool.UsedPages, pool)).DefaultIfEmpty().Max();

    private static (int Busy, long Queued, int Used, int Sessions) LoadOf(SiloView silo) => (
        Steps(silo.Report.Kv, pool => pool.BusyPages),
        silo.Report.QueuedTokens / QueueStep,
        Steps(silo.Report.Kv, pool => pool.UsedPages + silo.Placed),
        silo.Report.Activations + silo.Placed);

    /// <summary>Of the pool that is fuller.</summary>
    private static int Steps(IEnumerable<KvUsage> pools, Func<KvUsage, int?> pages) =>
        pools.Select(pool => (int)(PoolSteps * ShareOf(pages(pool), pool))).DefaultIfEmpty().Max();

    private static double ShareOf(int? pages, KvUsage pool) => pages is { } some && pool.TotalPages is > 0 and var total ? (double)some / total : 0;
}
