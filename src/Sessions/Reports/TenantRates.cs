namespace LServe.Sessions;

/// <summary>Tokens of answers per second, of each tenant, over the last whole seconds. Thread-safe.</summary>
public sealed class TenantRates(TimeProvider time)
{
    /// <summary>Tenants that are counted one by one; past it those that were silent longest give way, and what is left is counted together.</summary>
    public const int MaxTenants = 64;

    /// <summary>Stands for the tenants that there was no room for.</summary>
    public const string Others = "(others)";

    /// <summary>Seconds that a rate is taken over.</summary>
    private const int Window = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Seconds> _tenants = [];
    private readonly long _begin = time.GetTimestamp();

    public void Count(string tenant, int tokens)
    {
        if (tokens == 0) return;
        var now = Now();
        lock (_lock) Find(tenant, now).Add(now, tokens);
    }

    /// <summary>The fastest first; silent tenants are left out.</summary>
    public IReadOnlyList<TenantRate> Read()
    {
        var now = Now();
        lock (_lock)
            return
            [
                .. _tenants.Select(t => new TenantRate(t.Key, (double)t.Value.Sum(now) / Window)).Where(t => t.TokensPerSecond > 0)
                    .OrderByDescending(t => t.TokensPerSecond).ThenBy(t => t.Tenant, StringComparer.Ordinal),
            ];
    }

    private long Now() => (long)time.GetElapsedTime(_begin).TotalSeconds;

    private Seconds Find(string tenant, long now)
    {
        if (_tenants.TryGetValue(tenant, out var found)) return found;
        // One row is kept for the others.
        if (_tenants.Count >= MaxTenants - 1 && tenant != Others)
        {
            foreach (var (name, seconds) in _tenants)
                if (seconds.Sum(now) == 0 && seconds.Last < now)
                    _tenants.Remove(name);
            if (_tenants.Count >= MaxTenants - 1) return Find(Others, now);
        }
        return _tenants[tenant] = new();
    }

    /// <summary>Tokens of each of the last seconds, in a ring. The second that runs isn't complete and doesn't count.</summary>
    private sealed class Seconds
    {
        private readonly (long Second, long Tokens)[] _ring = new (long, long)[Window + 1];

        public long Last { get; private set; }

        public void Add(long now, int tokens)
        {
            ref var slot = ref _ring[now % _ring.Length];
            if (slot.Second != now) slot = (now, 0);
            slot.Tokens += tokens;
            Last = now;
        }

        public long Sum(long now)
        {
            var sum = 0L;
            foreach (var (second, tokens) in _ring)
                if (second < now && second >= now - Window)
                    sum += tokens;
            return sum;
        }
    }
}
