using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>A record of a session's KV cache as the database knows it.</summary>
/// <param name="Born">Commit of the first turn that has it.</param>
/// <param name="Died">Commit of the first turn that doesn't have it any more; null while the last one does.</param>
internal sealed record RecordRow(long Session, KvRecordId Id, long Born, long? Died, KvLocator Locator)
{
    /// <summary>Null when the row is damaged. Columns as in <see cref="RecordRows"/>.</summary>
    public static RecordRow? Read(SqliteDataReader r)
    {
        try
        {
            var row = new RecordRow(
                r.GetInt64(0), new((KvRecordKind)r.GetInt32(1), r.GetInt32(2), r.GetInt32(3)), r.GetInt64(4), r.IsDBNull(5) ? null : r.GetInt64(5),
                new(r.GetInt32(6), r.GetInt64(7), r.GetInt32(8), r.GetInt32(9), (ulong)r.GetInt64(10)));
            return row.Checksum() == r.GetInt64(11) ? row : null;
        }
        catch (Exception problem) when (problem is InvalidCastException or InvalidOperationException or OverflowException)
        {
            return null;
        }
    }

    public void Write(SqliteTransaction transaction) => Sql.Run(
        transaction, "INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        Session, (int)Id.Kind, Id.First, Id.End, Born, Died, Locator.File, Locator.Offset, Locator.Length, Locator.Epoch, (long)Locator.Checksum, Checksum());

    private long Checksum() => new RowChecksum()
        .Add(Session).Add((long)Id.Kind).Add(Id.First).Add(Id.End).Add(Born).Add(Died ?? -1)
        .Add(Locator.File).Add(Locator.Offset).Add(Locator.Length).Add(Locator.Epoch).Add((long)Locator.Checksum).Of();
}
