using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using LServe.Contracts;

namespace LServe.Stores.AzureBlob;

/// <summary>What is remembered of sessions, to save requests: past the limit all is forgotten, which costs a request each. Thread-safe.</summary>
internal sealed class Remembered<T>(int maxSessions) where T : class
{
    private readonly ConcurrentDictionary<SessionKey, T> _known = new();

    public bool TryGet(SessionKey key, [NotNullWhen(true)] out T? known) => _known.TryGetValue(key, out known);

    public void Set(SessionKey key, T known)
    {
        if (_known.Count >= maxSessions && !_known.ContainsKey(key)) _known.Clear();
        _known[key] = known;
    }

    public void Forget(SessionKey key) => _known.TryRemove(key, out _);
}
