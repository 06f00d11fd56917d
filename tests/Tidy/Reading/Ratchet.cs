namespace LServe.Tests.Tidy;

/// <summary>
/// A limit with a checked-in list of what stood above it when the limit came. What is on the list may shrink and must then be noted
/// smaller; nothing new may pass the limit. Lines of the list: <c>length name</c>.
/// </summary>
public static class Ratchet
{
    public static IReadOnlyDictionary<string, int> Read(string path) =>
        Tree.Find(path).Lines.Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ', 2)).ToDictionary(part => part[1].Trim(), part => int.Parse(part[0]));

    public static IEnumerable<string> Violations(IEnumerable<(string Name, int Length)> items, int limit, IReadOnlyDictionary<string, int> known)
    {
        var seen = new HashSet<string>();
        foreach (var (name, length) in items.Where(item => item.Length > limit))
        {
            seen.Add(name);
            if (!known.TryGetValue(name, out var allowed)) yield return $"{name} has {length} lines; the limit is {limit}";
            else if (length > allowed) yield return $"{name} grew from {allowed} to {length} lines; the limit is {limit}";
            else if (length < allowed) yield return $"{name} shrank from {allowed} to {length} lines: note it in the list";
        }
        foreach (var name in known.Keys.Where(name => !seen.Contains(name)))
            yield return $"{name} is no longer above {limit} lines: take it off the list";
    }
}
