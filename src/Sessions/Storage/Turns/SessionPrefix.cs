namespace LServe.Sessions;

/// <summary>Hashes the beginning of a conversation, by which a save sees, without reading what is kept, whether it only adds to it.</summary>
internal static class SessionPrefix
{
    public static long Of(SessionSnapshot snapshot, int tokens, int runs, int messages)
    {
        var sum = new RowChecksum().Add(AsSpan(snapshot.Tokens)[..tokens]);
        foreach (var run in snapshot.Runs.Take(runs)) sum.Add(run.End).Add((long)run.Kind);
        foreach (var message in snapshot.Messages.Take(messages)) sum.Add(message.Role).Add(message.Content).Add(message.EndToken);
        return sum.Of();
    }

    public static ReadOnlySpan<int> AsSpan(IReadOnlyList<int> tokens) => tokens as int[] ?? tokens.ToArray();
}
