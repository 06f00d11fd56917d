using System.Text;
using LServe.Contracts;

namespace LServe.Stores.Local;

internal enum JournalKind : byte
{
    /// <summary>A turn was added.</summary>
    Save,

    /// <summary>Turns were taken away from the end.</summary>
    Rewind,
    Delete,
}

/// <summary>Which of a session's states; the default: there is no session.</summary>
/// <param name="Head">Commit of its last turn.</param>
/// <param name="Chain">Checksum of that turn's row.</param>
internal readonly record struct SessionState(long Head, long Chain)
{
    public static SessionState Of(SessionRow? row) => row is null ? default : new(row.Head, row.Chain);
}

/// <summary>One commit of one session, with all that is needed to do it again.</summary>
/// <param name="Before">What it was done to.</param>
/// <param name="After">The session's row afterwards; null: it is deleted.</param>
/// <param name="Turn">With <see cref="JournalKind.Save"/>: the turn's row.</param>
/// <param name="Replaces">With <see cref="JournalKind.Save"/>: the turn's row stands for all that was before it.</param>
internal sealed record JournalEntry(JournalKind Kind, SessionKey Key, SessionState Before, SessionRow? After, TurnRow? Turn = null, bool Replaces = false)
{
    public byte[] Write()
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write((byte)Kind);
            writer.Write(Key.Tenant);
            writer.Write(Key.Session);
            writer.Write(Before.Head);
            writer.Write(Before.Chain);
            writer.Write(Replaces);
            if (After is { } row) Write(writer, row);
            if (Turn is { } turn) Write(writer, turn);
        }
        return bytes.ToArray();
    }

    /// <exception cref="IOException">The bytes are no entry.</exception>
    public static JournalEntry Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        var (kind, key) = ((JournalKind)reader.ReadByte(), new SessionKey(reader.ReadString(), reader.ReadString()));
        var (before, replaces) = (new SessionState(reader.ReadInt64(), reader.ReadInt64()), reader.ReadBoolean());
        return new(kind, key, before, kind == JournalKind.Delete ? null : ReadRow(reader), kind == JournalKind.Save ? ReadTurn(reader) : null, replaces);
    }

    private static void Write(BinaryWriter writer, SessionRow row)
    {
        foreach (var number in new[] { row.Id, row.Head, row.Prefix, row.Chain, row.Created.UtcTicks, row.LastUsed.UtcTicks }) writer.Write(number);
        foreach (var number in new[] { row.Turns, row.Tokens, row.Runs, row.Messages }) writer.Write(number);
        foreach (var text in new[] { row.Tenant, row.Name, row.Model, row.LastTurn ?? "" }) writer.Write(text);
        writer.Write(row.LastTurn is not null);
    }

    private static SessionRow ReadRow(BinaryReader reader)
    {
        var (id, head, prefix, chain) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        var (created, used) = (new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero));
        var (turns, tokens, runs, messages) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        var (tenant, name, model, last) = (reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadString());
        return new(id, tenant, name, model, head, turns, reader.ReadBoolean() ? last : null, tokens, runs, messages, prefix, chain, created, used);
    }

    private static void Write(BinaryWriter writer, TurnRow turn)
    {
        writer.Write(turn.Commit);
        writer.Write(turn.Turn);
        writer.Write(turn.Chain);
        foreach (var blob in new[] { turn.Tokens, turn.Body })
        {
            writer.Write(blob.Length);
            writer.Write(blob);
        }
    }

    private static TurnRow ReadTurn(BinaryReader reader)
    {
        var (commit, turn, chain) = (reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64());
        var tokens = reader.ReadBytes(reader.ReadInt32());
        return new(commit, turn, tokens, reader.ReadBytes(reader.ReadInt32()), chain);
    }
}
